<?php
/**
 * The checklist for authors after a post with a player, publisher or room was published.
 *
 * @package Lianmai
 */

declare(strict_types=1);

namespace Lianmai;

/** The block editor shows a panel, the classic editor a notice. One route returns the list. Public pages load nothing. */
final class Checklist {
	private const HANDLE = 'lianmai-checklist';

	/** Requests per person and minute. Each request causes requests to the media server. */
	private const A_MINUTE = 20;

	/** Maximum number of streams whose lines for streaming programs are shown. */
	private const STREAMS = 3;

	/** Query values of the editor's address after a post was published, and after it was updated. */
	private const MESSAGES = array( '6', '1' );

	/** Hooks into WordPress. */
	public static function register(): void {
		add_action( 'rest_api_init', array( self::class, 'routes' ) );
		add_action( 'enqueue_block_editor_assets', array( self::class, 'in_block_editor' ) );
		add_action( 'admin_notices', array( self::class, 'in_classic_editor' ) );
	}

	/** Registers the route for the scripts. */
	public static function routes(): void {
		register_rest_route(
			Rest::SPACE,
			'/checklist',
			array(
				'methods'             => 'POST',
				'callback'            => array( self::class, 'answer' ),
				'permission_callback' => array( self::class, 'may' ),
				'args'                => array(
					'post' => array(
						'type'     => 'integer',
						'minimum'  => 1,
						'required' => true,
					),
				),
			)
		);
	}

	/** Allows people who may edit a published post with a page: the list shows which streams are live, and a draft may name any stream. */
	public static function may( \WP_REST_Request $request ): bool {
		$post   = is_scalar( $request['post'] ) && (int) $request['post'] > 0 ? get_post( (int) $request['post'] ) : null;
		$status = null === $post || ! is_post_type_viewable( $post->post_type ) ? null : get_post_status_object( (string) get_post_status( $post ) );
		return null !== $status && ( $status->public || $status->private ) && current_user_can( 'edit_post', $post->ID );
	}

	/**
	 * Returns the list as HTML; empty if the post has neither player nor publisher.
	 *
	 * @return array{html: string}|\WP_Error
	 */
	public static function answer( \WP_REST_Request $request ) {
		if ( Rest::is_too_many( 'checklist', get_current_user_id(), self::A_MINUTE ) ) {
			return new \WP_Error( 'lianmai_many', __( 'Too many attempts. Try again in a minute.', 'lianmai' ), array( 'status' => 429 ) );
		}
		$post  = get_post( (int) $request['post'] );
		$shown = Elements::of( $post );
		if ( $shown->is_empty() ) {
			return array( 'html' => '' );
		}
		ob_start();
		self::show( $post, $shown, Checks::of( $shown ) );
		return array( 'html' => (string) ob_get_clean() );
	}

	/** Loads the panel in the editor of posts. */
	public static function in_block_editor(): void {
		$screen = get_current_screen();
		if ( null === $screen || 'post' !== $screen->base || ! is_post_type_viewable( $screen->post_type ) ) {
			return;
		}
		self::enqueue();
		wp_enqueue_script(
			self::HANDLE . '-editor',
			plugins_url( 'assets/checklist-editor.js', FILE ),
			array( self::HANDLE, 'wp-components', 'wp-data', 'wp-edit-post', 'wp-editor', 'wp-element', 'wp-notices', 'wp-plugins' ),
			VERSION,
			true
		);
	}

	/** Shows the notice after a post was published or updated in the classic editor. */
	public static function in_classic_editor(): void {
		$screen = get_current_screen();
		$post   = get_post();
		// phpcs:ignore WordPress.Security.NonceVerification -- only chooses a notice.
		$done = isset( $_GET['message'] ) ? (string) $_GET['message'] : '';
		if ( null === $screen || 'post' !== $screen->base || $screen->is_block_editor() || ! $post instanceof \WP_Post || ! is_post_type_viewable( $post->post_type )
			|| ! in_array( $done, self::MESSAGES, true ) || ! Texts::may_hold( $post->post_content ) || ! current_user_can( 'edit_post', $post->ID )
		) {
			return;
		}
		self::enqueue();
		printf(
			'<div class="notice notice-info is-dismissible lianmai-checklist-notice" hidden data-post="%1$d" data-mark="%3$s"><h2>%2$s</h2><div></div></div>',
			(int) $post->ID,
			esc_html__( 'Is live video ready?', 'lianmai' ),
			esc_attr( Texts::mark( $post->post_content ) )
		);
	}

	/** Loads the scripts for both editors. */
	private static function enqueue(): void {
		Starter::enqueue_lines();
		ConnectionTest::enqueue_reach();
		wp_enqueue_script( self::HANDLE, plugins_url( 'assets/checklist.js', FILE ), array( 'wp-api-fetch', ConnectionTest::REACH, Starter::COPY ), VERSION, true );
		$told = array(
			'path'  => '/' . Rest::SPACE . '/checklist',
			'signs' => Texts::SIGNS,
			'words' => array(
				'title'   => __( 'Is live video ready?', 'lianmai' ),
				'offer'   => __( 'This post has live video.', 'lianmai' ),
				'show'    => __( 'Check that it works', 'lianmai' ),
				'running' => __( 'Checking…', 'lianmai' ),
				'again'   => __( 'Check again', 'lianmai' ),
				'dismiss' => __( 'Do not show again for this post', 'lianmai' ),
				'none'    => __( 'This post has no live video.', 'lianmai' ),
				/* translators: %s: why. */
				'failed'  => __( 'This site does not answer: %s', 'lianmai' ),
				/* translators: %s: an address. */
				'unreached' => __( 'This browser does not reach %s', 'lianmai' ),
				'all'     => __( 'Everything is ready.', 'lianmai' ),
				'some'    => __( 'Something is not ready yet:', 'lianmai' ),
				'good'    => __( 'OK', 'lianmai' ),
				'problem' => __( 'Failed', 'lianmai' ),
			),
		);
		wp_add_inline_script( self::HANDLE, 'window.lianmaiChecklist = ' . wp_json_encode( $told, JSON_HEX_TAG | JSON_HEX_AMP ) . ';', 'before' );
	}

	/**
	 * Prints the list.
	 *
	 * @param \WP_Post $post   that was published.
	 * @param Elements $shown  on its page.
	 * @param Checks   $checks of them.
	 */
	private static function show( \WP_Post $post, Elements $shown, Checks $checks ): void {
		$words = array(
			'good'    => __( 'OK', 'lianmai' ),
			'problem' => __( 'Failed', 'lianmai' ),
			'warning' => __( 'Attention', 'lianmai' ),
			'info'    => __( 'Note', 'lianmai' ),
			'running' => __( 'Checking…', 'lianmai' ),
		);
		echo '<ul class="lianmai-checks">';
		$rows = array_merge( $checks->all, $shown->are_here() ? ConnectionTest::reaches() : array() );
		foreach ( $rows as $row ) {
			printf(
				'<li data-state="%1$s"%2$s><span class="screen-reader-text">%3$s: </span><strong>%4$s</strong> <span>%5$s</span></li>',
				esc_attr( $row['state'] ),
				isset( $row['reach'] ) ? ' data-reach="' . esc_url( $row['reach'] ) . '" data-mode="' . esc_attr( $row['mode'] ) . '"' : '',
				esc_html( $words[ $row['state'] ] ),
				esc_html( $row['label'] ),
				esc_html( $row['advice'] )
			);
		}
		echo '</ul>';
		printf( '<p><a href="%1$s" target="_blank">%2$s</a></p>', esc_url( (string) get_permalink( $post ) ), esc_html__( 'Watch the page as readers see it', 'lianmai' ) );
		if ( 0 !== $checks->rtmp && array() !== $shown->streams() ) {
			self::show_program( $shown->streams(), $checks->rtmp );
		}
		if ( current_user_can( 'manage_options' ) ) {
			printf( '<p><a href="%1$s">%2$s</a></p>', esc_url( SettingsPage::address() ), esc_html__( 'Settings → Lianmai', 'lianmai' ) );
		}
	}

	/**
	 * Prints the settings for OBS.
	 *
	 * @param string[] $streams on the server of the settings.
	 * @param int|null $port    of RTMP; null: the usual one.
	 */
	private static function show_program( array $streams, ?int $port ): void {
		$whip = 'other' === Settings::kind();
		$rtmp = 'rtmp://' . (string) wp_parse_url( Settings::server(), PHP_URL_HOST ) . ( null === $port || 1935 === $port ? '' : ':' . $port );
		// The page may contain the list twice.
		$id = 'lianmai-program-' . bin2hex( random_bytes( 4 ) );
		echo '<h3>' . esc_html__( 'To go live with OBS', 'lianmai' ) . '</h3><p class="description">' . esc_html(
			$whip
				? __( 'Settings → Stream → Service “WHIP”, and the server’s token if it wants one.', 'lianmai' )
				: __( 'Settings → Stream → Service “Custom…”. If the server wants a secret, put ?secret= and the secret after the stream key.', 'lianmai' )
		) . '</p>';
		foreach ( array_slice( $streams, 0, self::STREAMS ) as $n => $stream ) {
			$cut = (int) strrpos( $stream, '/' );
			Starter::line( "$id-$n", __( 'Server', 'lianmai' ), $whip ? Address::publish( $stream, Settings::server(), 'other' ) : $rtmp . '/' . substr( $stream, 0, $cut ) );
			if ( ! $whip ) {
				Starter::line( "$id-$n-key", __( 'Stream Key', 'lianmai' ), substr( $stream, $cut + 1 ) );
			}
		}
	}
}
